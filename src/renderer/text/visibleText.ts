export { visibleText } from '../../domain/visibleText.ts';
