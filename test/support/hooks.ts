import { stopTestServer } from "./postgres";

export const mochaHooks = {
	async afterAll(): Promise<void> {
		await stopTestServer();
	},
};
