import type { Client } from "pg";
import { CopyProgress } from "./copy-progress";
import type { CopySessions } from "./copy-sessions";

/** One of the parallel streams of a copy. */
export interface Worker {
	source: Client;
	target: Client;
}

/** Work that any worker can do. */
export interface Task {
	/** Of the table or index, for progress and errors. Tasks of one name are parts of the same. */
	name: string;
	/** How much work it is compared to the others. */
	weight: number;
	run(worker: Worker, progress: CopyProgress): Promise<void>;
}

/**
 * Has workers do tasks, in their order, each as soon as it has done the one before. When one fails, all connections are
 * cut, so that the others end as well.
 *
 * @param done what is told of finished tasks, such as `copied`
 * @param what what tasks are parts of, such as `tables`
 * @throws Error naming the task that failed
 */
export async function share(
	sessions: CopySessions,
	workers: readonly Worker[],
	tasks: readonly Task[],
	{ done, what, log }: { done: string; what: string; log(line: string): void },
): Promise<void> {
	const queue = [...tasks];
	const progress = new CopyProgress(done, what, tasks, log);
	const work = async (worker: Worker) => {
		for (let task = queue.shift(); task !== undefined; task = queue.shift()) {
			try {
				await task.run(worker, progress);
			} catch (error) {
				queue.length = 0;
				const named = new Error(`${task.name}: ${error instanceof Error ? error.message : error}`, {
					cause: error,
				});
				sessions.cut(named);
				throw named;
			}
			progress.finished(task);
		}
	};
	try {
		await Promise.all(workers.map(work));
	} finally {
		progress.stop();
	}
}
