#!/bin/sh
# The main job, on real content. Called by `make demo`; KB names the kb to use.
set -eu
KB=${KB:-kb}
step() { printf '\n\033[1m$ kb %s\033[0m\n' "$*"; "$KB" "$@"; }
step claim list --tag decision-transformer
step claim show dt-random-suffices
step claim search "despite being trained on random trajectories"
step reproduce dt-toy-graph
step check dt-toy-graph-feasible-return
step talk-outline top-achievements
