import type { SchedulerStatus } from '../../contract/messages.ts';
import type { Decision } from '../../domain/decision.ts';
import type { PolicyName } from '../../domain/policyNames.ts';
import type { Load } from '../../domain/reward.ts';
import type { DecisionStep } from '../../scheduler/decide.ts';
import { heuristicByName } from '../../scheduler/policies/heuristics.ts';
import type { Policy } from '../../scheduler/policy.ts';
import type { Snapshot } from '../../scheduler/snapshot.ts';

export class Brain {
  readonly heuristic: Policy = heuristicByName('priority');
  private name: PolicyName;

  constructor(name: PolicyName) {
    this.name = name;
  }

  get policy(): Policy {
    return this.name === 'dqn' ? this.heuristic : heuristicByName(this.name);
  }

  setPolicy(name: PolicyName): void {
    this.name = name;
  }

  advance(_nowMs: number, _load: Load): void {
    return;
  }

  decided(_step: DecisionStep, _snapshot: Snapshot, _decision: Decision): void {
    return;
  }

  idle(_nowMs: number): void {
    return;
  }

  get learnerStatus(): SchedulerStatus['learner'] {
    return {
      state: 'off',
      backend: null,
      trainSteps: 0,
      replaySize: 0,
      replayCapacity: 0,
      loss: null,
      trouble: null,
    };
  }

  get epsilon(): number | null {
    return null;
  }

  async stop(): Promise<void> {
    return;
  }
}
