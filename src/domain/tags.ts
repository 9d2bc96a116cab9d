import { z } from 'zod';

const MOST_TAGS = 20;
const LONGEST_TAG = 50;

const tagSchema = z
  .string('give tags as texts')
  .min(1, 'give a tag')
  .max(LONGEST_TAG, `keep a tag within ${LONGEST_TAG} characters`)
  // What separates tags, or cannot be seen, is no part of one.
  .regex(/^[^\s,\p{C}]*$/u, 'a tag has no space, comma or control character: baseline, sweep-3, v1.2');

/** Words that jobs are found by, in the order given, each once. A job keeps those that it was submitted with. */
export const tagsSchema = z
  .array(tagSchema)
  .max(MOST_TAGS, `give at most ${MOST_TAGS} tags`)
  .refine((tags) => new Set(tags).size === tags.length, 'give each tag once');

/** Of a job that says nothing of them, among them every job of a Stint that knew none. */
export const NO_TAGS: { readonly tags: string[] } = { tags: [] };
