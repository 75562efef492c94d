import Commands

EpicureCommand.main()
