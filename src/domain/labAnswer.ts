/** What a process that simulates says to the engine: how far it is, several times, and then one of the others. */
export type LabAnswer<Found> =
  | { readonly fraction: number }
  /** null: there is nothing to replay. */
  | { readonly found: Found | null }
  /** What was asked for cannot be. */
  | { readonly wrong: { readonly field: string; readonly value: unknown; readonly remedy: string } }
  | { readonly trouble: string };
