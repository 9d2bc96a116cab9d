import { makeStore } from './store/store.ts';

/** How much room rows take. */
export const DENSITIES = ['comfortable', 'compact'] as const;
export type Density = (typeof DENSITIES)[number];

const STORED_AS = 'stint.density';
const stored = DENSITIES.find((one) => one === localStorage.getItem(STORED_AS));

/** What this browser was told; kept in it. */
export const density = makeStore<Density>(stored ?? 'comfortable');

/** Height of a row of the queue, px. */
export const rowPx = (chosen: Density): number => (chosen === 'compact' ? 40 : 52);

function apply(): void {
  document.documentElement.dataset.density = density.get();
}

export function setDensity(chosen: Density): void {
  localStorage.setItem(STORED_AS, chosen);
  density.update(() => chosen);
  apply();
}

apply();
