import { migration0001 } from './0001.ts';

/** In order, forward only: number n (from 1) takes a database from version n − 1 to n. Never edited once shipped. */
export const MIGRATIONS: readonly string[] = [migration0001];
