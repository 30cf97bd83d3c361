return await Scion.Local.Commands.ScionCommand.RunAsync(args);
