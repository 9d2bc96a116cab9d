import type { Span, Trace } from './jobTrace.ts';

/** Who sends: attributes of OpenTelemetry's resource. */
export interface Sender {
  readonly version: string;
  readonly host: string;
  /** What tells this installation from others. */
  readonly instance: string;
}

const INTERNAL = 1;
const ERROR = 2;

/**
 * Traces as a request of OTLP over HTTP in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): numbers of
 * spans in hexadecimal, 64-bit integers as text, enumerations as integers.
 */
export function otlpRequest(traces: readonly Trace[], { version, host, instance }: Sender): unknown {
  return {
    resourceSpans: [
      {
        resource: {
          attributes: attributes({
            'service.name': 'stint',
            'service.version': version,
            'service.instance.id': instance,
            'host.name': host,
          }),
        },
        scopeSpans: [
          {
            scope: { name: 'stint', version },
            spans: traces.flatMap((trace) => trace.spans.map((span) => otlpSpan(trace, span))),
          },
        ],
      },
    ],
  };
}

function otlpSpan({ id: traceId, earlier }: Trace, span: Span): unknown {
  return {
    traceId,
    spanId: span.id,
    ...(span.parentId === null ? {} : { parentSpanId: span.parentId }),
    name: span.name,
    kind: INTERNAL,
    startTimeUnixNano: nanoseconds(span.startMs),
    endTimeUnixNano: nanoseconds(span.endMs),
    attributes: attributes(span.attributes),
    events: span.events.map(({ name, atMs, attributes: values }) => ({
      name,
      timeUnixNano: nanoseconds(atMs),
      attributes: attributes(values),
    })),
    links: earlier === null || span.parentId !== null ? [] : [earlier],
    status: span.error === null ? {} : { code: ERROR, message: span.error },
  };
}

const attributes = (values: Span['attributes']): unknown[] =>
  Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }));

function anyValue(value: Span['attributes'][string]): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number')
    return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map((one) => ({ stringValue: one })) } };
}

const nanoseconds = (ms: number): string => String(BigInt(Math.round(ms * 1000)) * 1000n);
