import { createContext, type ReactNode, useContext } from 'react';
import classes from './Settings.module.css';

/** What a reader looks for among the settings. */
export const Sought = createContext('');

/** True if what is looked for occurs in the text, word by word. */
export function useIsSought(text: string): boolean {
  const sought = useContext(Sought).toLowerCase().split(/\s+/).filter(Boolean);
  return sought.every((word) => text.toLowerCase().includes(word));
}

/** One setting: what it is called, what it does, and the control; left out where it is not what is looked for. */
export function Setting(props: { label: string; about: ReactNode; words?: string; children: ReactNode }) {
  const { label, about, words = '', children } = props;
  if (!useIsSought(`${label} ${typeof about === 'string' ? about : ''} ${words}`)) return null;
  return (
    <div className={classes.setting} data-setting>
      <div className={classes.said}>
        <span className={classes.label}>{label}</span>
        <span className={classes.about}>{about}</span>
      </div>
      <div className={classes.control}>{children}</div>
    </div>
  );
}

/** Settings that belong together. Without any in sight it is left out by its style. */
export function Group(props: { title: string; about?: string; children: ReactNode }) {
  return (
    <section className={classes.group} aria-label={props.title}>
      <h2 className={classes.title}>{props.title}</h2>
      {props.about !== undefined && <p className={classes.intro}>{props.about}</p>}
      {props.children}
    </section>
  );
}
