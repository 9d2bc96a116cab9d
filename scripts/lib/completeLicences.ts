import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './run.ts';

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/**
 * Puts the text below each heading of a list of licences that has none, since its package brings none.
 * @throws {Error} for another licence than MIT, or an author that its package does not name: add the text by hand.
 */
export function completeLicences(path: string): void {
  const [head, ...sections] = readFileSync(path, 'utf8').split(/^## /m);
  const complete = sections.map((section) => {
    const [title = '', ...body] = section.split('\n');
    if (body.join('').trim() !== '') return section;
    const [, name = '', licence] = /^(\S+) - \S+ \((.*)\)$/.exec(title) ?? [];
    const { author } = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as {
      author?: string | { name: string };
    };
    const holder = typeof author === 'string' ? author : author?.name;
    if (licence !== 'MIT' || holder === undefined)
      throw new Error(
        `${title}: its package has no text of its licence; add it to scripts/lib/completeLicences.ts`,
      );
    return `${title}\n\nCopyright (c) ${holder}\n\n${MIT}\n\n`;
  });
  writeFileSync(path, [head, ...complete].join('## '));
}
