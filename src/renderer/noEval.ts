import { config } from 'zod';

// The page's policy allows no code from strings; the schemas then need not try. Imported before any of them.
config({ jitless: true });
