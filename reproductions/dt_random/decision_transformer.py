"""The Decision Transformer for continuous control, to be read beside its paper.

Chen et al. 2021, "Decision Transformer: Reinforcement Learning via Sequence Modeling", arXiv 2106.01345.
Section 3 describes the model, its Algorithm 1 gives it as pseudo-code (the names used here), appendix A.2
the Gym settings.

    tau = (R^_1, s_1, a_1, R^_2, s_2, a_2, ..., R^_T, s_T, a_T)                  equation (2)

Each time step is three tokens: the return-to-go R^ (the sum of the rewards still to come), the state s, the
action a. A causal transformer reads the last K time steps and predicts a_t at the token of s_t.

Two things are computed differently from the authors' code with the same result (tests hold both): windows
shorter than K are padded on the right, where causal attention never looks, so no padding mask is needed; and
the last layer is evaluated at the state tokens alone, since no other output is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from reproductions.dt_random.dropout import dropout

RETURN_SCALE = 1000.0
"""Returns-to-go are divided by this before they are embedded (appendix A.2)."""

TARGET_RETURNS: dict[str, tuple[float, float]] = {
    "hopper": (3600.0, 1800.0),
    "halfcheetah": (12000.0, 6000.0),
    "walker2d": (5000.0, 2500.0),
}
"""The two returns that each environment is asked for at evaluation; the paper's first."""


@dataclass(frozen=True)
class Sizes:
    """Size of the model; the defaults are the paper's for Gym (table 9 of the appendix)."""

    context: int = 20
    """K, in time steps (three tokens each)."""
    width: int = 128
    """Embedding dimension."""
    layers: int = 3
    heads: int = 1
    dropout: float = 0.1
    episode_steps: int = 1000
    """Longest episode: how many absolute time steps have an embedding."""


PAPER = Sizes()
SMALL = Sizes(width=64, layers=2, dropout=0.0)
"""For quick runs on a CPU; a departure from the paper."""


class Block(nn.Module):
    """A GPT-2 block as the authors configure it: pre-LayerNorm, causal attention, relu MLP of four widths."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.width
        self.heads, self.dropout = sizes.heads, sizes.dropout
        self.attention_norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.attention_out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp_in = nn.Linear(width, 4 * width)
        self.mlp_out = nn.Linear(4 * width, width)

    def forward(self, tokens: Tensor, positions: Tensor | None = None) -> Tensor:
        """Updates the tokens, shape (batch, length, width); with `positions` only those come out.

        `positions`, shape (m,), are indices of tokens: each still attends to every token up to its own.
        """
        batch, length, width = tokens.shape
        normed = self.attention_norm(tokens)
        asking = normed
        if positions is None:
            positions = torch.arange(length)
        else:
            asking, tokens = normed[:, positions], tokens[:, positions]
        future = torch.zeros(len(positions), length)
        future.masked_fill_(torch.arange(length)[None, :] > positions[:, None], -torch.inf)
        # At this size attention written out is faster on a CPU than torch's fused one (see the module's text).
        query = self._by_head(self.query(asking))
        key, value = (self._by_head(part) for part in self.key_value(normed).chunk(2, dim=-1))
        scores = torch.baddbmm(future, query, key.transpose(1, 2), alpha=query.shape[-1] ** -0.5)
        weights = dropout(scores.softmax(dim=-1), self.dropout, self.training)
        mixed = (weights @ value).view(batch, self.heads, -1, width // self.heads).transpose(1, 2)
        mixed = self.attention_out(mixed.reshape(batch, -1, width))
        tokens = tokens + dropout(mixed, self.dropout, self.training)
        hidden = self.mlp_out(functional.relu(self.mlp_in(self.mlp_norm(tokens))))
        return tokens + dropout(hidden, self.dropout, self.training)

    def _by_head(self, tokens: Tensor) -> Tensor:
        """From (batch, length, width) to (batch x heads, length, width / heads)."""
        batch, length, width = tokens.shape
        split = tokens.view(batch, length, self.heads, width // self.heads).transpose(1, 2)
        return split.reshape(batch * self.heads, length, -1)


class DecisionTransformer(nn.Module):
    """Algorithm 1's `DecisionTransformer(R, s, a, t)` for the state and action sizes of one environment."""

    def __init__(self, state_size: int, action_size: int, sizes: Sizes = PAPER) -> None:
        super().__init__()
        self.sizes = sizes
        self.embed_t = nn.Embedding(sizes.episode_steps, sizes.width)
        self.embed_R = nn.Linear(1, sizes.width)
        self.embed_s = nn.Linear(state_size, sizes.width)
        self.embed_a = nn.Linear(action_size, sizes.width)
        self.embed_norm = nn.LayerNorm(sizes.width)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.layers))
        self.final_norm = nn.LayerNorm(sizes.width)
        self.pred_a = nn.Linear(sizes.width, action_size)
        for block in self.blocks:  # GPT-2's initialisation inside the transformer; torch's own outside
            for module in block.modules():
                if isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, std=0.02)
                    nn.init.zeros_(module.bias)

    def forward(self, R: Tensor, s: Tensor, a: Tensor, t: Tensor, last_only: bool = False) -> Tensor:  # noqa: N803
        """Predicted actions in [-1, 1], shape (batch, K, action size); with `last_only` (batch, 1, action
        size).

        R: returns-to-go divided by RETURN_SCALE, shape (batch, K). s: standardised states, (batch, K, state
        size). a: actions, (batch, K, action size). t: time steps into the episode, (batch, K), integers. K
        may be shorter than the context. The prediction at a step depends on its R and s and on all before,
        not on its a.
        """
        batch, length = t.shape
        # compute embeddings for tokens; the time embedding is shared by the three tokens of a step
        pos_embedding = self.embed_t(t)
        s_embedding = self.embed_s(s) + pos_embedding
        a_embedding = self.embed_a(a) + pos_embedding
        R_embedding = self.embed_R(R[..., None]) + pos_embedding  # noqa: N806 - the paper's name
        # interleave tokens as (R_1, s_1, a_1, ..., R_K, s_K, a_K)
        input_embeds = torch.stack([R_embedding, s_embedding, a_embedding], dim=2).view(batch, 3 * length, -1)
        hidden_states = dropout(self.embed_norm(input_embeds), self.sizes.dropout, self.training)
        # use transformer to get hidden states; of the last layer, select those of the state tokens
        state_positions = torch.arange(1, 3 * length, 3)
        if last_only:
            state_positions = state_positions[-1:]
        for block in self.blocks[:-1]:
            hidden_states = block(hidden_states)
        a_hidden = self.final_norm(self.blocks[-1](hidden_states, state_positions))
        # predict action
        return torch.tanh(self.pred_a(a_hidden))


def action_error(predicted: Tensor, actions: Tensor, valid: Tensor) -> Tensor:
    """Mean squared error over the time steps that are not padding, `mean((a_preds - a)**2)` in Algorithm 1.

    predicted, actions: (batch, K, action size); valid: (batch, K), 1 for real steps and 0 for padding.
    """
    squares = (predicted.float() - actions).square().mean(dim=-1)
    return (squares * valid).sum() / valid.sum()
