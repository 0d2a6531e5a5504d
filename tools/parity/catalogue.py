"""The reference models: name -> config. `model` is the table [model] of a Gatewise configuration that makes the same one."""

BATCHES = 10
BASE = {
    "rows": 13,
    "batches": BATCHES,
    "numeric_inputs": 7,
    "embeddings": [{"table": "city", "rows": 5, "width": 3}, {"table": "item", "rows": 11, "width": 3}],
    "tasks": [
        {"name": "click", "kind": "binary", "outputs": 1, "weight": 1.0},
        {"name": "amount", "kind": "regression", "outputs": 1, "weight": 0.5},
        {"name": "grade", "kind": "multiclass", "outputs": 3, "weight": 2.0},
    ],
}
# These tasks have no labels at all in one batch.
UNLABELLED_TASKS, UNLABELLED_BATCH = ("grade", "buy"), 3


def binary_tasks(*names: str) -> dict:
    weights = (1.0, 0.5, 2.0)
    return {"tasks": [{"name": n, "kind": "binary", "outputs": 1, "weight": w} for n, w in zip(names, weights)]}


TOWER = {"tower": {"units": [4]}}
CHAIN = binary_tasks("click", "like", "buy")
SOFTMAX = {"gate": {"hidden": [], "bias": True}}


def mixture(model: dict, **rest: dict) -> dict:
    return {"model": {"type": "mmoe", "experts": 3, "expert": {"units": [5]}, **SOFTMAX, **TOWER, **model}, **rest}


def gated(kind: str, experts: int = 4, rows: int = 13, **options: object) -> dict:
    model = {"type": "mmoe", "experts": experts, "expert": {"units": [5]}, "gate": {"type": kind, **options}, **TOWER}
    return {"model": model, "rows": rows}


def task_aware(form: str, **options: object) -> dict:
    return gated("task_aware", form=form, k=2, balance_weight=0.01, **options)


def system(kind: str, units: list[int], options: dict, **rest: object) -> dict:
    return {"model": {"type": kind, **options, "expert": {"units": units}, **TOWER}, **rest}


def home(expert: dict, **options: object) -> dict:
    model = {
        "type": "home",
        "groups": {"inter": ["click", "grade"], "watch": ["amount"]},
        "shared_experts": 2,
        "group_experts": 2,
        "task_experts": 1,
        "mask": True,
        "feature_gate": True,
        "feature_gate_factors": 2,
        "feature_gate_rank": 0,
        "layer_2_feature_gate": True,
        "self_gate": True,
        "layer_2_self_gate": False,
        "expert": {**expert, "activation": "swish", "normalisation": "batch"},
        **TOWER,
    }
    return {"numeric_inputs": 6, "model": {**model, **options}}


# The seed of a model is its family's plus its place, so new models go to the end of a family.
FIRST = {
    "single_task": system("single_task", [5], {}),
    "shared_bottom": system("shared_bottom", [6, 5], {}),
    "omoe": mixture({"type": "omoe"}),
    "mmoe": mixture({}),
    "mmoe_deep": mixture({"expert": {"units": [6, 5]}, "gate": {"hidden": [4], "bias": True}}),
    "mmoe_no_gate_bias": mixture({"gate": {"hidden": [], "bias": False}}),
    "mmoe_binary": mixture({}, **binary_tasks("click", "like", "share")),
}

SYSTEM_MODELS = {
    "l2_constrained": system("l2_constrained", [6, 5], {"alpha": 0.05, "tie_towers": True}, **CHAIN),
    "l2_constrained_free_towers": system("l2_constrained", [5], {"alpha": 0.02, "tie_towers": False}, **CHAIN),
    "l2_constrained_mixed_tasks": system("l2_constrained", [5], {"alpha": 0.05, "tie_towers": True}),
    "cross_stitch": system("cross_stitch", [6, 5], {"same_task": 0.9, "other_task": 0.1}),
    "cross_stitch_per_channel": system(
        "cross_stitch", [6, 5], {"same_task": 0.9, "other_task": 0.1, "per_channel": True, "stitched_layers": [0]}
    ),
    "tensor_factorization": system("tensor_factorization", [6, 5], {"rank_in": 7, "rank_out": 4, "rank_tasks": 2}),
    "tensor_factorization_full_ranks": system(
        "tensor_factorization", [5], {"rank_in": 20, "rank_out": 20, "rank_tasks": 20}
    ),
    "cgc": system("cgc", [6], {"shared_experts": 2, "task_experts": 2}),
    "ple": system("ple", [6], {"levels": 2, "shared_experts": 2, "task_experts": 1}),
    "ple_three_levels": system("ple", [5], {"levels": 3, "shared_experts": 1, "task_experts": 2}),
    "adatt": system("adatt", [5], {"levels": 2, "shared_experts": 3, "task_experts": 2}),
    "adatt_one_expert": system("adatt", [6], {"levels": 3, "shared_experts": 1, "task_experts": 1}),
    "adatt_sp": system("adatt_sp", [5], {"levels": 2, "task_experts": 2}),
    "adatt_sp_one_expert": system("adatt_sp", [6], {"levels": 2, "task_experts": 1}),
    "esmm": system("esmm", [6, 5], {}, **CHAIN),
    "esmm_chain": system("esmm", [5], {"chain": ["like", "buy", "click"]}, **CHAIN),
    "aitm": system("aitm", [6, 5], {"calibrator": 0.6}, **CHAIN),
    "mmoe_batch_norm": mixture({"expert": {"units": [6], "normalisation": "batch", "activation": "swish"}}),
    "mmoe_layer_norm": mixture({"expert": {"units": [6], "normalisation": "layer", "activation": "swish"}}),
    "home": home({"units": [6]}),
    "home_no_mask_no_feature_gate": home({"units": [6]}, mask=False, feature_gate=False, group_experts=1),
    "home_no_self_gate": home(
        {"units": [6, 5], "hidden_activation": "relu"}, self_gate=False, feature_gate_factors=3, feature_gate_rank=2
    ),
    "mmoe_bottom": mixture({"bottom": [7, 6]}),
    "omoe_bottom": mixture({"type": "omoe", "bottom": [7]}),
    "mmoe_three_levels": mixture({"levels": 3, "upper_gates_read": "features", "expert": {"units": [6]}}),
    "mmoe_levels_experts": mixture({"levels": 2, "upper_gates_read": "experts"}),
    "linear": {"model": {"type": "linear"}},
}

GATE_MODELS = {
    "gate_sigmoid": gated("sigmoid"),
    "gate_sigmoid_normalised": gated("sigmoid", normalise=True),
    "gate_top_k": gated("top_k", k=2),
    "gate_noisy_top_k": gated("noisy_top_k", k=2, noise=False, importance_weight=0.1, load_weight=0.1),
    "gate_switch": gated("switch", balance_weight=0.01, jitter=0.0),
    "gate_bias_balanced": gated("bias_balanced", k=2, update_rate=0.05, renormalise=False),
    "gate_bias_balanced_renormalised": gated("bias_balanced", rows=12, k=2, update_rate=0.05, renormalise=True),
    "gate_dselect_k": gated("dselect_k", k=2, per_example=False, gamma=1.0, entropy_weight=0.01),
    "gate_dselect_k_three": gated("dselect_k", 3, k=2, per_example=False, gamma=2.0, entropy_weight=0.01),
    "gate_dselect_k_per_example": gated("dselect_k", k=2, per_example=True, gamma=1.0, entropy_weight=0.01),
    "gate_dselect_k_per_example_three": gated("dselect_k", 3, k=2, per_example=True, gamma=1.0, entropy_weight=0.01),
    "gate_task_agnostic": task_aware("agnostic"),
    "gate_per_task": task_aware("per_task"),
    "gate_task_embedding": task_aware("task_embedding", embedding_width=3),
    "gate_task_only": task_aware("task_only", embedding_width=4),
    "gate_task_additive": task_aware("additive"),
    "gate_top_k_static": gated("top_k", 3, k=2, per_example=False),
}

FAMILIES = {20180819: FIRST, 20200922: SYSTEM_MODELS, 20211206: GATE_MODELS}


def all_models() -> dict[str, tuple[int, dict]]:
    """name -> (seed, config)."""
    models = {}
    for seed, family in FAMILIES.items():
        for index, (name, part) in enumerate(family.items()):
            models[name] = (seed + index, {**BASE, **part})
    return models
