import { look } from './line.ts';

// What the page starts with: the engine is asked while everything else is still being read.
const first = look(false);
// Who waits for it is told.
first.catch(() => undefined);
void import('./main.tsx').then(({ show }) => show(first));
