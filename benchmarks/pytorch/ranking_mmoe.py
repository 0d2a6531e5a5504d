"""An MMoE of ranking size: 512 inputs, 8 experts 512-256-128, six binary tasks with towers of 64, Adam 1e-3."""

import common
import mixture

SETUP = mixture.Setup(
    name="ranking_mmoe",
    inputs=512,
    experts=8,
    expert_widths=(512, 256, 128),
    tasks=6,
    tower_hidden=64,
    loss="bce",
    pool_rows=8192,
)

if __name__ == "__main__":
    mixture.run(SETUP, common.parse_options(__doc__, [1024], mixture.VARIANTS))
