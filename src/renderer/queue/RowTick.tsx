import classes from './Row.module.css';

/**
 * The box that ticks a row: a plain checkbox.
 * @param props.ticked null: some of it is.
 * @param props.onTick through: Shift was held.
 */
export function RowTick(props: {
  ticked: boolean | null;
  label: string;
  tabIndex: 0 | -1;
  onTick(through: boolean): void;
}) {
  const { ticked, label, tabIndex, onTick } = props;
  return (
    <input
      type="checkbox"
      className={classes.tick}
      ref={(element) => {
        if (element !== null) element.indeterminate = ticked === null;
      }}
      checked={ticked === true}
      onChange={({ nativeEvent }) => onTick('shiftKey' in nativeEvent && nativeEvent.shiftKey === true)}
      aria-label={label}
      tabIndex={tabIndex}
    />
  );
}
