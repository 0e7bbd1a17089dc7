"""What can go wrong through no fault of the program: each message is one sentence that says what is wrong and what to do."""


class DigitLabError(Exception):
    """A mistake that the user can mend. The command line prints it and exits with status 2; the window shows it in a strip."""


class DataError(DigitLabError):
    """A dataset or picture is missing, damaged, or not what it claims to be."""


class WeightsError(DigitLabError):
    """A weights file is missing, damaged, or does not fit the network."""


class ConfigError(DigitLabError):
    """A setting makes no sense, alone or together with another."""


class NotCompilable(ConfigError):  # noqa: N818 (it is an answer to go on from, as StopIteration is)
    """There is no kernel for a layer, a loss or an optimizer: the readable path can do what a plan cannot."""


class DeviceError(DigitLabError):
    """The device that was asked for is not here or cannot be used."""
