/**
 * Just enough of an assembler for WebAssembly's binary format (W3C core specification 2.0, with its fixed-width SIMD) to
 * write a few loops in: a module with one exported memory and exported functions of i32 parameters.
 */
export type Code = readonly number[];

const I32 = 0x7f;
const V128 = 0x7b;
const EMPTY_BLOCK = 0x40;

/** One function: parameters are the first locals, all i32; then further i32 and v128 locals. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly integers: number;
  readonly vectors: number;
  readonly body: Code;
}

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return bytes;
}

/** Signed LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const mul = (a: Code, b: Code): Code => [...a, ...b, 0x6c];
export const below = (a: Code, b: Code): Code => [...a, ...b, 0x49];
export const equal = (a: Code, b: Code): Code => [...a, ...b, 0x46];
export const isZero = (a: Code): Code => [...a, 0x45];

export const when = (condition: Code, then: Code, otherwise: Code = []): Code => [
  ...condition,
  0x04,
  EMPTY_BLOCK,
  ...then,
  ...(otherwise.length > 0 ? [0x05, ...otherwise] : []),
  0x0b,
];

/** Runs the body while the condition holds; the condition is looked at first. */
export const loopWhile = (condition: Code, body: Code): Code => [
  ...[0x02, EMPTY_BLOCK],
  ...[0x03, EMPTY_BLOCK],
  ...isZero(condition),
  ...[0x0d, 1],
  ...body,
  ...[0x0c, 0],
  ...[0x0b, 0x0b],
];

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
/** Addresses are multiples of 4 bytes. */
const at = (offset: number): Code => [2, ...unsigned(offset)];

export const vectorZero: Code = [...simd(12), ...new Array<number>(16).fill(0)];
export const load = (address: Code, offset = 0): Code => [...address, ...simd(0), ...at(offset)];
/** One number into all four lanes. */
export const loadSplat = (address: Code, offset = 0): Code => [...address, ...simd(9), ...at(offset)];
export const store = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  ...simd(11),
  ...at(offset),
];
export const vectorAnd = (a: Code, b: Code): Code => [...a, ...b, ...simd(78)];
export const above = (a: Code, b: Code): Code => [...a, ...b, ...simd(68)];
export const vectorAdd = (a: Code, b: Code): Code => [...a, ...b, ...simd(228)];
export const vectorMul = (a: Code, b: Code): Code => [...a, ...b, ...simd(230)];
/** Lanewise a < b ? b : a, so that a NaN in `a` stays one. */
export const vectorMax = (a: Code, b: Code): Code => [...a, ...b, ...simd(235)];

const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
const named = (name: string): Code => {
  const bytes = Array.from(name, (char) => char.charCodeAt(0));
  return [...unsigned(bytes.length), ...bytes];
};

/** The module's bytes. It exports `memory`, of at least `pages` × 64 KiB, and the functions by their names. */
export function assemble(functions: readonly WasmFunction[], pages: number): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters }) => [
    0x60,
    ...vector(Array.from({ length: parameters }, () => [I32])),
    ...vector([]),
  ]);
  const bodies = functions.map(({ integers, vectors, body }) => {
    const locals = vector([
      [...unsigned(integers), I32],
      [...unsigned(vectors), V128],
    ]);
    const code = [...locals, ...body, 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(5, vector([[0x00, ...unsigned(pages)]])),
    ...section(
      7,
      vector([
        [...named('memory'), 0x02, 0],
        ...functions.map(({ name }, index) => [...named(name), 0x00, ...unsigned(index)]),
      ]),
    ),
    ...section(10, vector(bodies)),
  ]);
}
