import { closureSteps } from '@yuanyou/contract';
import type { Journey } from '../../src/demo/journey.ts';
import type { Service } from './service.ts';
import { leave } from './traveller.ts';

/** A point in a closure at which the server process is to die. */
export interface Place {
  readonly step: (typeof closureSteps)[number];
  readonly moment: 'before' | 'after';
}

export interface Kills {
  /** Lets the traveller leave; the server dies at the place of this number, is started again, and the closure goes on to its end. */
  leaveOver(index: number, journey: Journey): Promise<void>;
}

/**
 * Kills at one place after the other. With the places of one moment in the order from the last step to the first, the next fault is armed
 * at the restart already: whoever is under way has passed it.
 */
export function killsAt({ server }: Service, places: readonly Place[]): Kills {
  let armed: Place | undefined;
  const startArmed = async (place: Place | undefined): Promise<void> => {
    await server.start(place === undefined ? {} : { YUANYOU_FAULTS: `closure:${place.step}:${place.moment}=sigkill` });
    armed = place;
  };
  const isPassed = (place: Place, at: Place): boolean => place.moment === at.moment && closureSteps.indexOf(place.step) < closureSteps.indexOf(at.step);
  return {
    async leaveOver(index, journey) {
      const [place, next] = [places[index]!, places[index + 1]];
      if (armed !== place) {
        await server.kill();
        await startArmed(place);
      }
      const died = server.ended();
      const gone = leave(journey);
      const first = await Promise.race([died, gone.then(() => 'left undisturbed')]);
      if (first !== 1) throw new Error(`no death at ${place.step} ${place.moment}: ${first}`);
      await startArmed(next !== undefined && isPassed(next, place) ? next : undefined);
      await gone;
    },
  };
}
