namespace SparseExpansion.Models;

/// <summary>Change of rotary frequencies for contexts longer than those of pre-training.</summary>
public enum RotaryScaling
{
    /// <summary>Not at all; "default".</summary>
    None,

    /// <summary>All frequencies divided by the factor; "linear".</summary>
    Linear,

    /// <summary>
    /// A base that grows with the sequence once it is longer than the context of pre-training; "dynamic" (NTK-aware).
    /// </summary>
    Dynamic,

    /// <summary>Low frequencies divided by the factor, high ones kept, a ramp between; "llama3" (Llama 3.1).</summary>
    Llama3,

    /// <summary>
    /// A ramp from kept high frequencies to divided low ones, and a factor of the attention; "yarn" (Peng et al. 2023,
    /// arXiv 2309.00071).
    /// </summary>
    Yarn,

    /// <summary>
    /// A divisor for each frequency, of which there are two lists: for sequences within the context of pre-training,
    /// and for longer ones; "longrope" (Ding et al. 2024, arXiv 2402.13753).
    /// </summary>
    LongRope,
}
