/**
 * Run with `node --import …/register.ts out/main/index.js`: from then on `electron` means the stand-in beside
 * this file. Elsewhere the package `electron` would look for its binary, and fetch it.
 */
import { registerHooks } from 'node:module';

const standIn = new URL('./index.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'electron' ? { url: standIn, shortCircuit: true } : next(specifier, context),
});
