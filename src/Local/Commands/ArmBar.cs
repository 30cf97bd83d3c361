using System.Text;
using Scion.Demo;
using Scion.Local.Terminal;

namespace Scion.Local.Commands;

/// <summary>A measured way to learn, as a line: figure, interval, and both on an axis.</summary>
static class ArmBar
{
    const int AxisWidth = 30;

    public static string Axis() => "0 %".PadRight((AxisWidth / 2) - 2) + "50 %" + "100 %".PadLeft(AxisWidth - (AxisWidth / 2) - 1);

    public static void Print(Screen screen, string name, TransferArm arm, string colour)
    {
        int low = At(arm.Low), high = At(arm.High), mid = At(arm.Accuracy);
        StringBuilder bar = new();
        for (int i = 0; i <= AxisWidth; i++) bar.Append(i == mid ? '●' : i >= low && i <= high ? '━' : i == AxisWidth / 2 ? '┊' : '·');
        screen.Line($"   {name,-14} [bold]{Receipt.Percent(arm.Accuracy),8}[/]  {$"{Receipt.Percent(arm.Low)} – {Receipt.Percent(arm.High)}",-15} [{colour}]{bar}[/]");

        static int At(double share) => (int)Math.Round(Math.Clamp(share, 0, 1) * AxisWidth);
    }
}
