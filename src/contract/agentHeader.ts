/** With what a program says on the local socket that it speaks for an agent: the agent's name, percent-encoded. */
export const AGENT_HEADER = 'x-stint-agent';
