/** The kind under which the execution of a closure is registered. */
export const closureSaga = 'closure';
