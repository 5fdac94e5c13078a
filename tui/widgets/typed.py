"""What may be typed or pasted into a line of text: nothing that a terminal would act on."""

from __future__ import annotations

# controls, marks that turn the direction of writing round, marks of no width
TYPED = r"[^\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*"
