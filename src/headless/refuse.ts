import type { ServerResponse } from 'node:http';

/** Answers with a sentence, and ends the connection: what was sent with the request is not read. */
export function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
  response.end(`${sentence}\n`);
}
