import { Board } from './Board.tsx';
import { QueueDrag } from './QueueDrag.tsx';

/** The board on a page of its own. */
export function QueueView({ onSubmit }: { onSubmit(): void }) {
  return (
    <QueueDrag>
      <Board onSubmit={onSubmit} />
    </QueueDrag>
  );
}
