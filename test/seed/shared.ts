/**
 * Something dear that several suites only look at: it is made for the first of them and thrown away after the last one.
 *
 * @returns what a suite calls to get it
 */
export function shared<T>(make: () => Promise<T>, discard: (made: T) => Promise<void>): () => () => T {
	let users = 0;
	let making: Promise<T> | undefined;
	let made: T | undefined;
	const end = async () => {
		const gone = made;
		made = undefined;
		if (gone !== undefined) {
			await discard(gone);
		}
	};
	// A suite of which no test was selected never comes to its own hook.
	after(end);
	return () => {
		users++;
		before(async function () {
			this.timeout(600_000);
			making ??= make();
			made = await making;
		});
		after(async () => {
			users--;
			if (users === 0) {
				await end();
			}
		});
		return () => {
			if (made === undefined) {
				throw new Error("it is made before the first test of the suite");
			}
			return made;
		};
	};
}
