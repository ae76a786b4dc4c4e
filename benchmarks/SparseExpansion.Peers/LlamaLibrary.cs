using System.Diagnostics;
using System.Runtime.InteropServices;
using LLama.Native;

namespace SparseExpansion.Peers;

/// <summary>The native library of llama.cpp, of which there are variants for instruction sets.</summary>
internal static class LlamaLibrary
{
    /// <summary>Leaves the choice to LLamaSharp.</summary>
    public const string Default = "default";

    /// <summary>Chooses a variant; before the first use of LLamaSharp.</summary>
    /// <exception cref="FormatException">There is none of this name.</exception>
    public static void Select(string name)
    {
        NativeLibraryConfig.All.WithLogCallback((level, message) =>
        {
            if (level is LLamaLogLevel.Error)
            {
                Console.Error.Write(message);
            }
        });
        if (name == Default)
        {
            return;
        }

        // Without the two, it looks for libraries of graphics cards alone when it may not fall back.
        NativeLibraryConfig.All.WithCuda(false).WithVulkan(false).WithAutoFallback(false).WithAvx(name switch
        {
            "avx512" => AvxLevel.Avx512,
            "avx2" => AvxLevel.Avx2,
            "avx" => AvxLevel.Avx,
            _ => throw new FormatException($"There is no library '{name}'; use avx512, avx2, avx or {Default}."),
        });
    }

    /// <summary>The folder that the library was loaded from, which names its variant, and the instructions that it uses.</summary>
    public static string Describe()
    {
        string system = Marshal.PtrToStringUTF8(NativeApi.llama_print_system_info()) ?? "";
        using var self = Process.GetCurrentProcess();
        string path = self.Modules.Cast<ProcessModule>()
            .First(module => module.ModuleName.Contains("ggml-cpu", StringComparison.Ordinal)).FileName;
        return $"{Path.GetFileName(Path.GetDirectoryName(path))}; {system.Trim().ReplaceLineEndings(" ")}";
    }
}
