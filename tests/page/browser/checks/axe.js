// axe finds nothing, in any light, on a desk and on a phone, with rows closed and open.
import { findsNothing, openAll } from "../axe.js";

export const views = [{ colorScheme: "light" }, { colorScheme: "dark" }, { colorScheme: "light", viewport: { width: 360, height: 740 } }];

export default async function axe({ page }) {
  await findsNothing(page, "closed");
  await openAll(page);
  await findsNothing(page, "open");
}
