import Commands

EpicureCommand.start()
