import { ModelVolume } from "../../support/model_volume.ts";
import { RandomOps } from "../../support/random_ops.ts";
import { startRig } from "../../support/relay_rig.ts";

const ROUNDS = Deno.env.get("CAIRN_LONG") ? 100_000 : 4000;

Deno.test("RelayClient answers random operations like a volume in the same thread", async () => {
  const seed = Number(Deno.env.get("CAIRN_SEED") ?? Date.now() % 1e9);
  console.log(`seed ${seed}`);
  const rig = await startRig();
  const client = await rig.client({ areaBytes: 16_384 });
  const ops = new RandomOps(client, new ModelVolume(), { seed, maxBytes: 50_000 });
  for (let round = 0; round < ROUNDS; round++) ops.step();
  ops.finish();
  await rig.stop();
});
