import {
  above,
  add,
  assemble,
  below,
  type Code,
  equal,
  get,
  i32,
  load,
  loadSplat,
  loopWhile,
  mul,
  set,
  store,
  vectorAdd,
  vectorAnd,
  vectorMax,
  vectorMul,
  vectorZero,
  type WasmFunction,
  when,
} from './wasmModule.ts';

/** What a product starts from. */
export const START = {
  /** 0. */
  zero: 0,
  /** `bias`, the same for every row. */
  bias: 1,
  /** What C holds. */
  sum: 2,
} as const;

/** What happens to a product before it is stored. */
export const THEN = {
  nothing: 0,
  /** max(0, ·). */
  relu: 1,
  /** 0 wherever `mask`, laid out as C, is not above 0: the derivative of ReLU. */
  mask: 2,
} as const;

/**
 * C = start + A · B in single precision, for A of m × k, B of k × n, C of m × n. Addresses and strides are bytes.
 * m must be a multiple of 4 and n of 8. A's rows and columns may lie anywhere (so that a transposed A needs no copy);
 * rows of B and C are contiguous.
 */
export type Gemm = (
  a: number,
  aRowStride: number,
  aColumnStride: number,
  b: number,
  bRowStride: number,
  c: number,
  cRowStride: number,
  m: number,
  k: number,
  n: number,
  start: number,
  bias: number,
  then: number,
  mask: number,
) => void;

const ROWS = 4;
const COLUMNS = 8;
const LANE_BYTES = 16;

/**
 * Tiles of 4 × 8 kept in registers: for each k, two vectors of B and one number of each of four rows of A. Products are
 * rounded before they are added, as WebAssembly defines it, so that every processor gives the same bits.
 */
function gemmFunction(): WasmFunction {
  // Parameters, in the order of Gemm.
  const [a, aRow, aCol, b, bRow, c, cRow] = [0, 1, 2, 3, 4, 5, 6] as const;
  const [m, k, n, start, bias, then, mask] = [7, 8, 9, 10, 11, 12, 13] as const;
  const PARAMETERS = 14;
  // Integers: places of the tile, the loop over k, and addresses in B, C, the mask and four rows of A.
  const [row, column, step, pb, pc, pm] = [14, 15, 16, 17, 18, 19] as const;
  const pa = (r: number): number => PARAMETERS + 6 + r;
  const INTEGERS = 6 + ROWS;
  const sum = (r: number, half: number): number => PARAMETERS + INTEGERS + 2 * r + half;
  const b0 = sum(ROWS, 0);
  const b1 = b0 + 1;
  const value = b0 + 2;
  const rows = Array.from({ length: ROWS }, (_, r) => r);
  const each = (code: (r: number, half: number) => Code): Code =>
    rows.flatMap((r) => [0, 1].flatMap((half) => code(r, half)));
  const rowOf = (base: number, stride: number, r: number): Code =>
    r === 0 ? get(base) : add(get(base), mul(get(stride), i32(r)));

  const begin = when(
    equal(get(start), i32(START.zero)),
    each((r, half) => set(sum(r, half), vectorZero)),
    when(
      equal(get(start), i32(START.bias)),
      each((r, half) => set(sum(r, half), load(add(get(bias), get(column)), half * LANE_BYTES))),
      each((r, half) => set(sum(r, half), load(rowOf(pc, cRow, r), half * LANE_BYTES))),
    ),
  );
  const oneStep: Code = [
    ...set(b0, load(get(pb))),
    ...set(b1, load(get(pb), LANE_BYTES)),
    ...rows.flatMap((r) => [
      ...set(value, loadSplat(get(pa(r)))),
      ...set(sum(r, 0), vectorAdd(get(sum(r, 0)), vectorMul(get(value), get(b0)))),
      ...set(sum(r, 1), vectorAdd(get(sum(r, 1)), vectorMul(get(value), get(b1)))),
      ...set(pa(r), add(get(pa(r)), get(aCol))),
    ]),
    ...set(pb, add(get(pb), get(bRow))),
    ...set(step, add(get(step), i32(1))),
  ];
  const finish = when(
    equal(get(then), i32(THEN.relu)),
    each((r, half) => set(sum(r, half), vectorMax(get(sum(r, half)), vectorZero))),
    when(
      equal(get(then), i32(THEN.mask)),
      each((r, half) =>
        set(
          sum(r, half),
          vectorAnd(get(sum(r, half)), above(load(rowOf(pm, cRow, r), half * LANE_BYTES), vectorZero)),
        ),
      ),
    ),
  );
  const tile: Code = [
    ...set(pc, add(add(get(c), mul(get(row), get(cRow))), get(column))),
    ...set(pm, add(add(get(mask), mul(get(row), get(cRow))), get(column))),
    ...set(pb, add(get(b), get(column))),
    ...rows.flatMap((r) => set(pa(r), add(get(a), mul(add(get(row), i32(r)), get(aRow))))),
    ...begin,
    ...set(step, i32(0)),
    ...loopWhile(below(get(step), get(k)), oneStep),
    ...finish,
    ...each((r, half) => store(rowOf(pc, cRow, r), get(sum(r, half)), half * LANE_BYTES)),
  ];
  const body: Code = [
    ...set(row, i32(0)),
    ...loopWhile(below(get(row), get(m)), [
      ...set(column, i32(0)),
      ...loopWhile(below(get(column), mul(get(n), i32(4))), [
        ...tile,
        ...set(column, add(get(column), i32(4 * COLUMNS))),
      ]),
      ...set(row, add(get(row), i32(ROWS))),
    ]),
  ];
  return { name: 'gemm', parameters: PARAMETERS, integers: INTEGERS, vectors: 2 * ROWS + 3, body };
}

/** What is used of WebAssembly, which is the language's and not a platform's, but typed by platforms only. */
interface WasmApi {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { readonly exports: Record<string, unknown> };
}
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const PAGE_BYTES = 65_536;
const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;
const { exports } = new Instance(new Module(assemble([gemmFunction()], 16)));
const memory = exports.memory as WasmMemory;

export const gemm = exports.gemm as Gemm;

/** A matrix in the memory that {@link gemm} works in. Valid until the next {@link workspace}. */
export interface Block {
  /** Its address, bytes. */
  readonly at: number;
  readonly values: Float32Array;
}

/**
 * The whole memory for one calculation, from its beginning: whoever had it before has it no more, so nothing may be
 * kept there between two calls.
 * @param floats how many are going to be taken, at most.
 * @returns takes the next so many. They hold whatever was there.
 */
export function workspace(floats: number): (count: number) => Block {
  const lack = 4 * floats - memory.buffer.byteLength;
  if (lack > 0) memory.grow(Math.ceil(lack / PAGE_BYTES));
  const all = new Float32Array(memory.buffer);
  let next = 0;
  return (count) => {
    const from = next;
    next += count;
    return { at: 4 * from, values: all.subarray(from, next) };
  };
}

/** The next multiple. */
export const padded = (count: number, multiple: number): number => Math.ceil(count / multiple) * multiple;
