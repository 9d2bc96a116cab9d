import { fileURLToPath } from 'node:url';

/** Where the learned policy's shipped weights lie, seen from the sources as well as from a build. */
export const SHIPPED_WEIGHTS = fileURLToPath(
  new URL('../../resources/policy/second-wind.json', import.meta.url),
);

/** The same for DeepRM's world. */
export const DEEPRM_WEIGHTS = fileURLToPath(new URL('../../resources/policy/deeprm.json', import.meta.url));
