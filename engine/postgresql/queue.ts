/** Lets so many pieces of work run at a time; the others wait in the order they came. */
export class Queue {
	private readonly waiting: (() => void)[] = [];
	private running = 0;

	constructor(private readonly places: number) {}

	async run<T>(work: () => Promise<T>): Promise<T> {
		if (this.running >= this.places) {
			await new Promise<void>((admit) => this.waiting.push(admit));
		} else {
			this.running++;
		}
		try {
			return await work();
		} finally {
			const next = this.waiting.shift();
			if (next === undefined) {
				this.running--;
			} else {
				next();
			}
		}
	}
}
