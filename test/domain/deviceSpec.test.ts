import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDeviceSpec } from '../../src/domain/deviceSpec.ts';
import { FieldError } from '../../src/domain/errors.ts';

describe('parseDeviceSpec', () => {
  it('reads the kinds', () => {
    expect(['auto', 'nvml', 'nvidia-smi', 'amd', 'virtual:3', 'virtual:2x8192'].map(parseDeviceSpec)).toEqual(
      [
        { kind: 'auto' },
        { kind: 'nvml' },
        { kind: 'nvidia-smi' },
        { kind: 'amd' },
        { kind: 'virtual', count: 3, memoryMib: 16_384 },
        { kind: 'virtual', count: 2, memoryMib: 8192 },
      ],
    );
  });

  it.each([
    '',
    'virtual',
    'virtual:',
    'virtual:0',
    'virtual:65',
    'virtual:2x0',
    'virtual:2x',
    'virtual:2x8GiB',
    'virtual:-1',
    'virtual:1.5',
    'virtual:2x99999999',
    ' virtual:2',
    'NVML',
    'cuda',
    'auto,nvml',
  ])('refuses %j, naming the field, the value and the remedy', (text) => {
    expect(() => parseDeviceSpec(text)).toThrow(FieldError);
    try {
      parseDeviceSpec(text);
    } catch (error) {
      expect(error).toMatchObject({ field: 'devices', value: text });
      expect((error as FieldError).message).toContain(JSON.stringify(text));
      expect((error as FieldError).remedy).toContain('virtual:2x8192');
    }
  });

  it('reads every count and size in range', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 2 ** 20 }),
        (count, memoryMib) => {
          const spec = { kind: 'virtual', count, memoryMib } as const;
          expect(parseDeviceSpec(`virtual:${count}x${memoryMib}`)).toEqual(spec);
        },
      ),
    );
  });

  it('answers any text with a spec or a FieldError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((s) => `virtual:${s}`),
        ),
        (text) => {
          try {
            expect(parseDeviceSpec(text).kind).toBeTypeOf('string');
          } catch (error) {
            expect(error).toBeInstanceOf(FieldError);
          }
        },
      ),
    );
  });
});
