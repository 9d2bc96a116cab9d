import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { t } from '../../src/renderer/i18n/t.ts';
import { zhCN } from '../../src/renderer/i18n/zhCN.ts';

const ROOT = resolve(import.meta.dirname, '../../src/renderer');
const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => join(ROOT, name));

/** What the console says, and what it writes into the page without asking for a translation. */
function textsIn(path: string): { said: string[]; dynamic: string[]; bare: string[] } {
  const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found = { said: [] as string[], dynamic: [] as string[], bare: [] as string[] };
  const where = (node: ts.Node) =>
    `${relative(ROOT, path)}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${node.getText()}`;
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 't') {
      const [text] = node.arguments;
      if (text && ts.isStringLiteralLike(text)) found.said.push(text.text);
      else found.dynamic.push(where(node));
    } else if (ts.isJsxText(node) && /\p{L}{2}/u.test(node.text)) {
      const tag = ts.isJsxElement(node.parent) ? node.parent.openingElement.tagName.getText() : '';
      // What is typed somewhere is the same in every language.
      if (tag !== 'code' && tag !== 'Code') found.bare.push(where(node));
    } else if (
      ts.isJsxAttribute(node) &&
      /^(label|title|aria-label|placeholder|description|about|thumbLabel)$/.test(node.name.getText()) &&
      node.initializer &&
      ts.isStringLiteral(node.initializer) &&
      /^\p{Lu}?\p{Ll}{2,}(\s|$)/u.test(node.initializer.text)
    ) {
      found.bare.push(where(node));
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const all = files.filter((path) => !relative(ROOT, path).startsWith('i18n')).map(textsIn);
const said = new Set(all.flatMap((one) => one.said));
const placeholders = (text: string) => new Set(text.match(/\{\{\w+\}\}/g) ?? []);

describe('the console in Chinese', () => {
  it('has every text that it says, and none that it does not', () => {
    expect(said.size).toBeGreaterThan(700);
    expect([...said].filter((text) => !(text in zhCN)).sort()).toEqual([]);
    expect(Object.keys(zhCN).filter((text) => !said.has(text))).toEqual([]);
  });

  it('says nothing past the translation', () => {
    expect(all.flatMap((one) => one.dynamic)).toEqual([]);
    // The name of the program, and what `pid` stands before, are names.
    const names = /^(index\.html|\S+ (Stint|pid))$/;
    expect(all.flatMap((one) => one.bare).filter((text) => !names.test(text.trim()))).toEqual([]);
  });

  it('fills in only what it is given', () => {
    const strange = Object.entries(zhCN).filter(
      ([text, translated]) =>
        translated.trim() === '' || [...placeholders(translated)].some((one) => !placeholders(text).has(one)),
    );
    expect(strange).toEqual([]);
  });
});

describe('a text with values', () => {
  it('takes them as they are, whatever they look like', () => {
    expect(t('Only {{name}}', { name: '$t(Name) {{id}} <b>' })).toBe('Only $t(Name) {{id}} <b>');
    expect(t('never translated {{x}}')).toBe('never translated {{x}}');
  });
});
