import {
  Checkbox,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  Modal,
  rem,
} from '@mantine/core';

/** Neutral: ink on paper. Every control is drawn with it. */
const ink: MantineColorsTuple = [
  '#f4f4f2',
  '#e6e6e3',
  '#cfcfcb',
  '#b0b0ab',
  '#8d8e8a',
  '#6d6f6d',
  '#545657',
  '#3c3f41',
  '#26292b',
  '#16181a',
];

/** The one alarm colour. It means trouble and is used for nothing else. */
const alarm: MantineColorsTuple = [
  '#ffebe6',
  '#ffd3c9',
  '#ffa896',
  '#ff7d63',
  '#ff5f40',
  '#f4502f',
  '#dc3c1c',
  '#c22f12',
  '#a5260d',
  '#841d09',
];

/** Mantine's dark greys: 0 text, 2 dimmed, 4 lines, 6 controls, 7 page. */
const dark: MantineColorsTuple = [
  '#ecece8',
  '#d6d7d3',
  '#a4a7a6',
  '#6f7476',
  '#363b3e',
  '#2a2e31',
  '#1d2023',
  '#141618',
  '#101214',
  '#0b0d0e',
];

export const theme = createTheme({
  colors: { ink, alarm, dark },
  primaryColor: 'ink',
  primaryShade: { light: 9, dark: 1 },
  // Filled controls are paper on ink (or on the alarm), whichever theme says what those are.
  variantColorResolver: (input) => {
    const colours = defaultVariantColorsResolver(input);
    if (input.variant !== 'filled') return colours;
    const ground = input.color === 'alarm' ? 'var(--alarm)' : 'var(--ink)';
    return {
      ...colours,
      background: ground,
      hover: `color-mix(in oklch, ${ground} 85%, var(--paper))`,
      color: 'var(--paper)',
    };
  },
  components: {
    Checkbox: Checkbox.extend({
      vars: () => ({ root: { '--checkbox-color': 'var(--ink)', '--checkbox-icon-color': 'var(--paper)' } }),
    }),
    Modal: Modal.extend({
      // Its header is the dialog's own, not a second banner of the page.
      defaultProps: {
        transitionProps: { duration: 0 },
        attributes: { header: { role: 'presentation' } },
        closeButtonProps: { 'aria-label': 'Close' },
      },
      styles: { title: { fontWeight: 600, fontSize: rem(16) } },
    }),
    // Dimmed, as the library has it, is too faint on paper.
    Notification: { styles: { description: { color: 'var(--ink)' } } },
  },
  white: '#fdfdfb',
  black: '#16181a',
  defaultRadius: 2,
  focusRing: 'auto',
  respectReducedMotion: true,
  cursorType: 'pointer',
  fontFamily: 'var(--font-text)',
  fontFamilyMonospace: 'var(--font-mono)',
  fontSizes: { xs: rem(12), sm: rem(13), md: rem(14), lg: rem(16), xl: rem(20) },
  spacing: { xs: rem(4), sm: rem(8), md: rem(12), lg: rem(16), xl: rem(24) },
  headings: { fontWeight: '600', fontFamily: 'var(--font-text)' },
});
