"""The cards of the Inspect panel, for its tests."""


def bring(panel, kind):
    """The card of that kind, brought into sight in its column."""
    column, card = next((column, card) for column in panel.columns for card in column.cards if isinstance(card, kind))
    column.choose(card)
    return card
