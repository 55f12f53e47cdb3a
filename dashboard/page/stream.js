/** @typedef {import("../state").Change} Change */

/**
 * @typedef {object} Listener
 * @property {(change: Change) => void} changed
 * @property {(since: Date | undefined) => void} connection told since when there is none; undefined while there is one
 */

/** Longer than a few signs of life, which the server gives every five seconds. */
const SILENCE_MS = 15_000;
const ANSWER_MS = 5000;
const FIRST_RETRY_MS = 1000;
const SLOWEST_RETRY_MS = 10_000;

/**
 * Follows the server's events for good: connects again whenever it is cut off or hears nothing.
 *
 * @param {Listener} listener
 */
export function follow(listener) {
	/** @type {EventSource | undefined} */
	let source;
	/** @type {boolean | undefined} */
	let isConnected;
	let heardAt = Date.now();
	let waitingSince = Date.now();
	let retryMs = FIRST_RETRY_MS;

	const heard = () => {
		heardAt = Date.now();
		waitingSince = heardAt;
		retryMs = FIRST_RETRY_MS;
		if (isConnected !== true) {
			isConnected = true;
			listener.connection(undefined);
		}
	};
	const again = () => {
		source?.close();
		source = undefined;
		if (isConnected !== false) {
			isConnected = false;
			listener.connection(new Date(heardAt));
		}
		setTimeout(connect, retryMs);
		retryMs = Math.min(2 * retryMs, SLOWEST_RETRY_MS);
	};
	const connect = async () => {
		if (await mustSignIn()) {
			location.assign("/login");
			return;
		}
		waitingSince = Date.now();
		source = new EventSource("/events");
		source.addEventListener("state", (event) => {
			heard();
			listener.changed(JSON.parse(event.data));
		});
		source.addEventListener("heartbeat", heard);
		source.addEventListener("error", again);
	};
	setInterval(() => {
		if (source !== undefined && Date.now() - waitingSince > SILENCE_MS) {
			again();
		}
	}, 1000);
	void connect();
}

/** Whether the session has ended. A server that does not answer is no reason to sign in. */
async function mustSignIn() {
	try {
		const answer = await fetch("/access", { signal: AbortSignal.timeout(ANSWER_MS) });
		return answer.status === 401;
	} catch {
		return false;
	}
}
