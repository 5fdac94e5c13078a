"""How a step moves a volume from site to site: streamed through a receiver, or only modelled."""
