"""How much lambdas may use: what a module's file asks for, within what the operator allows."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lambdas.limits import CPU_CEILING_MS, DEED_LIMITS, FIELD_LIMITS, WALL_CEILING_MS, Limits
from schema.spec import Module

HEAP_CEILING_MB = 48  # at 64 V8 ends the whole process


@dataclass(frozen=True, slots=True)
class LambdaLimits:
    """The limits of computed fields and of hooks, actions and schedules, and what `lambda_config` may raise them to."""

    fields: Limits = FIELD_LIMITS
    deeds: Limits = DEED_LIMITS
    cpu_ceiling_ms: float = CPU_CEILING_MS
    wall_ceiling_ms: float = WALL_CEILING_MS
    heap_ceiling_mb: int = HEAP_CEILING_MB

    def of_fields(self, module: Module) -> Limits:
        """Return the limits of a module's computed fields."""
        return self._of(self.fields, module)

    def of_deeds(self, module: Module) -> Limits:
        """Return the limits of a module's hooks, actions and schedules."""
        return self._of(self.deeds, module)

    def _of(self, limits: Limits, module: Module) -> Limits:
        timeout, memory = (module.lambda_config.get(name) for name in ("timeout_ms", "memory_limit_mb"))
        if timeout is not None:
            wall, cpu = min(timeout, self.wall_ceiling_ms), min(timeout, self.cpu_ceiling_ms)
            limits = replace(limits, wall_ms=wall, cpu_ms=cpu)
        return limits if memory is None else replace(limits, heap_mb=min(memory, self.heap_ceiling_mb))
