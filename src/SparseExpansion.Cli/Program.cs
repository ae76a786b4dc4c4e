using SparseExpansion.Cli;
using SparseExpansion.Cli.Hosting;
using SparseExpansion.Execution;

OpenMPWaiting.UsePassive();
using var signals = new InterruptSignals();
return Tool.Run(args, ToolHost.ForConsole(signals.Token));
