import type { Clock } from '../../clock/index.ts';
import type { Tx } from '../../db/index.ts';
import { ServiceError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import type { Event, EventType, Outbox } from '../types.ts';
import * as store from './store.ts';

/** Who is told of an event. */
export interface Subscription {
  readonly type: EventType<unknown>;
  readonly consumer: string;
  readonly handler: (event: Event<unknown>) => Promise<void>;
}

export interface OutboxDeps {
  readonly clock: Clock;
  /** By `subscriptionName`. */
  readonly subscriptions: Map<string, Subscription>;
  /** Called once an event was committed. */
  readonly hint: () => void;
}

/** A consumer may subscribe to several events: all of one key reach it in one order. The claim in SQL writes it the same way. */
export function subscriptionName(consumer: string, event: string): string {
  return `${consumer} ${event}`;
}

const largestBody = 64 * 1024;

export function createOutbox(deps: OutboxDeps): Outbox {
  return {
    emit: (tx, type, key, body, options) => emit(deps, tx, type, key, body, options?.notBefore),
    subscribe(type, consumer, handler) {
      const name = subscriptionName(consumer, type.name);
      if (deps.subscriptions.has(name)) throw new Error(`${consumer} subscribes to ${type.name} twice`);
      // The body is parsed by the event's own schema before the handler sees it.
      deps.subscriptions.set(name, { type, consumer, handler } as unknown as Subscription);
    },
  };
}

async function emit<B>(deps: OutboxDeps, tx: Tx, type: EventType<B>, key: string, body: B, notBefore: Date | undefined): Promise<void> {
  const consumers = [...deps.subscriptions.values()].filter((one) => one.type.name === type.name).map((one) => one.consumer);
  if (consumers.length === 0) return;
  const json = JSON.stringify(type.body.parse(body));
  if (json.length > largestBody) throw new ServiceError('jobs/event-too-large', { event: type.name });
  const emittedAt = deps.clock.now();
  const eventId = newId(emittedAt.getTime());
  store.insertDeliveries(tx, { eventId, name: type.name, key, body: json, emittedAt, notBefore }, consumers);
  tx.onCommit(deps.hint);
}
