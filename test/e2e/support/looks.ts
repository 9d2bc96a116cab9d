import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser } from 'playwright-core';
import { shots } from './consolePage.ts';

const KEPT = resolve(import.meta.dirname, '../../fixtures/looks');
/** `STINT_RENEW_LOOKS=1` keeps what is seen now, to be looked at and committed. */
const RENEWS = process.env.STINT_RENEW_LOOKS === '1';
/** Pixels are compared by squares of so many: within one, letters are drawn a little different by another Chromium. */
const SQUARE_PX = 5;
/** Of 255, in the channel that differs most: by so much a square may be off. */
const OFF = 24;
/** And so many of a hundred squares may be off by more. */
export const MOST_PERCENT = 0.5;

/** How much two pictures differ, in per cent of their squares; and where, as a PNG in which those are red. */
interface Difference {
  readonly percent: number;
  readonly png: Buffer;
}

/** @param before, now two PNGs; of another size, they differ altogether. */
export async function differenceOf(browser: Browser, before: Buffer, now: Buffer): Promise<Difference> {
  const page = await browser.newPage();
  try {
    const { percent, url } = await page.evaluate(
      async ([images, square, most]) => {
        const squares = async (data: string) => {
          const image = new Image();
          image.src = `data:image/png;base64,${data}`;
          await image.decode();
          const canvas = document.createElement('canvas');
          canvas.width = image.width;
          canvas.height = image.height;
          const context = canvas.getContext('2d')!;
          context.drawImage(image, 0, 0);
          const { data: pixels } = context.getImageData(0, 0, image.width, image.height);
          const [columns, rows] = [Math.floor(image.width / square), Math.floor(image.height / square)];
          const means = new Float64Array(3 * columns * rows);
          for (let y = 0; y < rows * square; y++)
            for (let x = 0; x < columns * square; x++)
              for (let c = 0; c < 3; c++)
                means[3 * (Math.floor(y / square) * columns + Math.floor(x / square)) + c]! +=
                  pixels[4 * (y * image.width + x) + c]! / square ** 2;
          return { canvas, context, columns, rows, means };
        };
        const [old, seen] = [await squares(images[0]), await squares(images[1])];
        const other = old.columns !== seen.columns || old.rows !== seen.rows;
        let off = 0;
        seen.context.fillStyle = 'rgb(255 0 0 / 60%)';
        for (let i = 0; i < seen.columns * seen.rows; i++) {
          const by = (c: number): number => Math.abs(old.means[3 * i + c]! - seen.means[3 * i + c]!);
          if (!other && Math.max(by(0), by(1), by(2)) <= most) continue;
          off += 1;
          seen.context.fillRect(
            square * (i % seen.columns),
            square * Math.floor(i / seen.columns),
            square,
            square,
          );
        }
        return { percent: (100 * off) / (seen.columns * seen.rows), url: seen.canvas.toDataURL() };
      },
      [[before.toString('base64'), now.toString('base64')], SQUARE_PX, OFF] as const,
    );
    return { percent, png: Buffer.from(url.split(',')[1]!, 'base64') };
  } finally {
    await page.close();
  }
}

/** What the view looked like when a person last looked. */
export const keptLook = (name: string): Buffer => readFileSync(join(KEPT, `${name}.png`));

/**
 * What is different from how a view looked when a person last looked at it, in a sentence; null: nothing to speak of. What is
 * seen, and where it differs, are written beside the other pictures of the tests.
 */
export async function differs(browser: Browser, name: string, png: Buffer): Promise<string | null> {
  const kept = join(KEPT, `${name}.png`);
  if (RENEWS) {
    mkdirSync(KEPT, { recursive: true });
    writeFileSync(kept, png);
    return null;
  }
  const renew =
    'STINT_RENEW_LOOKS=1 npx vitest run --project e2e test/e2e/looks.spec.ts keeps what is seen now';
  if (!existsSync(kept)) return `${kept} is missing; ${renew}`;
  const { percent, png: where } = await differenceOf(browser, keptLook(name), png);
  if (percent <= MOST_PERCENT) return null;
  mkdirSync(shots, { recursive: true });
  writeFileSync(join(shots, `look ${name}, actual.png`), png);
  writeFileSync(join(shots, `look ${name}, difference.png`), where);
  return `${name}: ${percent.toFixed(2)} % of it looks different (red in ${shots}/look ${name}, difference.png); if it is meant so, ${renew}`;
}
