using SparseExpansion.Cli;

using var signals = new InterruptSignals();
return Tool.Run(args, ToolHost.ForConsole(signals.Token));
