import assert from "node:assert/strict";
import { Webhook } from "standardwebhooks";
import { deliver, hostOf } from "../../components/monitoring/webhook";
import { type Behaviour, Receiver } from "./receiver";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MESSAGE = { id: "counting-7-deployment.started", body: '{"type":"deployment.started"}' };
const QUICK = { attempts: 3, totalMs: 5000, attemptMs: 100, backoffMs: 1 };

describe("a webhook", () => {
	let receiver: Receiver;

	afterEach(() => receiver.stop());

	async function start(...behaviours: Behaviour[]): Promise<void> {
		receiver = await Receiver.start(...behaviours);
	}

	it("posts JSON that another library finds to be signed", async () => {
		await start(200);
		await deliver({ url: receiver.url, secret: SECRET }, MESSAGE);
		const [request, ...others] = receiver.requests;
		assert.deepEqual(others, []);
		assert.equal(request?.method, "POST");
		assert.equal(request?.path, "/hooks/T0/secret-part?token=secret-too");
		assert.equal(request?.headers["content-type"], "application/json");
		assert.equal(request?.headers["webhook-id"], MESSAGE.id);
		const headers = request?.headers as Record<string, string>;
		assert.deepEqual(new Webhook(SECRET).verify(request!.body, headers), { type: "deployment.started" });
		const forged = request!.body.replace("started", "stopped");
		assert.throws(() => new Webhook(SECRET).verify(forged, headers));
		assert.throws(() =>
			new Webhook(SECRET).verify(request!.body, {
				...headers,
				"webhook-timestamp": String(Number(headers["webhook-timestamp"]) - 1),
			}),
		);
	});

	it("signs nothing without a secret", async () => {
		await start(204);
		await deliver({ url: receiver.url }, MESSAGE);
		assert.equal(receiver.requests[0]?.headers["webhook-signature"], undefined);
	});

	it("tries again with the same id while the receiver fails, until it takes it", async () => {
		await start(500, 429, 202);
		await deliver({ url: receiver.url, secret: SECRET }, MESSAGE, QUICK);
		assert.deepEqual(
			receiver.requests.map(({ headers }) => headers["webhook-id"]),
			[MESSAGE.id, MESSAGE.id, MESSAGE.id],
		);
	});

	it("gives up after three attempts, and tells no more of the address than its host", async () => {
		await start(503);
		await assert.rejects(deliver({ url: receiver.url, secret: SECRET }, MESSAGE, QUICK), {
			message: `${receiver.host} did not take it (3 of 3 attempts): it answered 503`,
		});
		assert.equal(receiver.requests.length, 3);
	});

	for (const status of [400, 404, 302]) {
		it(`does not try again when it is answered ${status}`, async () => {
			await start(status);
			await assert.rejects(deliver({ url: receiver.url }, MESSAGE, QUICK), {
				message: `${receiver.host} did not take it (1 of 3 attempts): it answered ${status}`,
			});
			assert.equal(receiver.requests.length, 1);
		});
	}

	it("leaves a receiver that never answers", async () => {
		await start("hang");
		await assert.rejects(deliver({ url: receiver.url }, MESSAGE, QUICK), {
			message: `${receiver.host} did not take it (3 of 3 attempts): it did not answer in time`,
		});
		assert.equal(receiver.requests.length, 3);
	});

	it("keeps to its time for all attempts together, however long one may take", async () => {
		await start("hang");
		await assert.rejects(
			deliver({ url: receiver.url }, MESSAGE, { ...QUICK, totalMs: 200, attemptMs: 60_000 }),
			/did not take it \(\d of 3 attempts\): it did not answer in time$/,
		);
	});

	it("tells that nobody listens", async () => {
		await start();
		const { url, host } = receiver;
		await receiver.stop();
		await assert.rejects(deliver({ url }, MESSAGE, QUICK), {
			message: `${host} did not take it (3 of 3 attempts): it cannot be reached (ECONNREFUSED)`,
		});
		await start();
	});

	it("shows the host of its address only", async () => {
		await start();
		assert.equal(hostOf({ url: "https://hooks.example.com/services/T0/B0/key" }), "hooks.example.com");
	});
});
