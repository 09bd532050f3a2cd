// Serves the basket on a port of the loopback, until it is told to end.
import { basketService } from "./basket.js";

const { GATEWAY_URL = "", SHOP = "", PORT } = process.env;
basketService(GATEWAY_URL, SHOP).listen(Number(PORT), "127.0.0.1");
