/** `USR1`, `sigusr1` and `SIGUSR1` are one. Which there are is the contract's to say. */
export const signalName = (text: string): string => {
  const name = text.trim().toUpperCase();
  return name.startsWith('SIG') ? name : `SIG${name}`;
};
