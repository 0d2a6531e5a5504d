"""The MMoE of the paper's synthetic study: 100 inputs, 8 experts of 16, two towers of 8, squared error, Adam 1e-3."""

import common
import mixture

SETUP = mixture.Setup(
    name="paper_mmoe", inputs=100, experts=8, expert_widths=(16,), tasks=2, tower_hidden=8, loss="mse", pool_rows=16384
)

if __name__ == "__main__":
    mixture.run(SETUP, common.parse_options(__doc__, [64, 256, 1024], mixture.VARIANTS))
